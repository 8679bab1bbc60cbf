# Finds the torch package: $VECSMITH_TORCH, -DTORCH_DIR, the active venv's or python3's torch when it is new enough, else
# what assets/setup.sh fetched to build/deps. Nothing is imported (that costs seconds), nothing is downloaded here.
#
# Included: sets TORCH_DIR and TORCH_VERSION, makes the target torch_cpu. libtorch_cuda is never linked: it is loaded
# when a GPU is there. A tree that is built keeps its torch until VECSMITH_TORCH or TORCH_DIR names another.
# As a script (cmake -P shim/torch.cmake): prints "VERSION FOLDER", or nothing when there is none.
set(TORCH_OLDEST 2.11)

# The version of the package in folder; empty: no torch there.
function(torch_version folder ret)
	set(version "")
	if(EXISTS "${folder}/version.py" AND EXISTS "${folder}/lib/libtorch_cpu.so")
		file(STRINGS "${folder}/version.py" line REGEX "^__version__ *=")
		string(REGEX REPLACE ".*['\"]([0-9.]+).*" "\\1" version "${line}")
	endif()
	set(${ret} "${version}" PARENT_SCOPE)
endfunction()

# The first package that is new enough; empty: none.
function(torch_find ret)
	set(folders "")
	foreach(python "$ENV{VIRTUAL_ENV}/bin/python" python3)
		execute_process(
			COMMAND ${python} -c "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
			OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE bad)
		if(NOT bad AND folder)
			list(APPEND folders "${folder}")
		endif()
	endforeach()
	set(${ret} "" PARENT_SCOPE)
	foreach(folder ${folders} "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../build/deps/torch")
		torch_version("${folder}" version)
		if(version AND NOT version VERSION_LESS ${TORCH_OLDEST})
			set(${ret} "${folder}" PARENT_SCOPE)
			return()
		endif()
	endforeach()
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
	set(TORCH_DIR "" CACHE PATH "torch package folder (holds include/ and lib/)")
endif()
set(dir "${TORCH_DIR}")
if(NOT "$ENV{VECSMITH_TORCH}" STREQUAL "")
	set(dir "$ENV{VECSMITH_TORCH}")
elseif(NOT EXISTS "${dir}/version.py")
	torch_find(dir)
endif()
torch_version("${dir}" TORCH_VERSION)
set(next "set VECSMITH_TORCH to the folder of a torch package of version ${TORCH_OLDEST} or newer, or run assets/start, which fetches one")
if(dir AND NOT TORCH_VERSION)
	message(FATAL_ERROR "no torch package in '${dir}' (version.py and lib/libtorch_cpu.so): ${next}")
elseif(dir AND TORCH_VERSION VERSION_LESS ${TORCH_OLDEST})
	message(FATAL_ERROR "torch in ${dir} is ${TORCH_VERSION}, expected ${TORCH_OLDEST} or newer: ${next}")
endif()
if(dir)
	file(REAL_PATH "${dir}" dir)
endif()

if(CMAKE_SCRIPT_MODE_FILE)
	if(dir)
		execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${TORCH_VERSION} ${dir}")
	endif()
	return()
elseif(NOT dir)
	message(FATAL_ERROR "no torch found: ${next}")
endif()
set(TORCH_DIR "${dir}" CACHE PATH "torch package folder (holds include/ and lib/)" FORCE)
message(STATUS "torch ${TORCH_VERSION} in ${dir}")

add_library(torch_cpu INTERFACE)
target_include_directories(torch_cpu SYSTEM INTERFACE
	"${dir}/include" "${dir}/include/torch/csrc/api/include")
target_link_options(torch_cpu INTERFACE -Wl,--allow-shlib-undefined)
target_link_libraries(torch_cpu INTERFACE
	-Wl,--no-as-needed "${dir}/lib/libtorch_cpu.so" "${dir}/lib/libc10.so" -Wl,--as-needed)
